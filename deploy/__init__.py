"""What is needed to run NightOwl beside other programs: dashboards, rules, containers, services."""

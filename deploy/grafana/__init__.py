"""Grafana's dashboards as code: what stands in ``dashboards`` is generated from these modules."""

"""Where notices go: e-mail, webhooks, Slack, PagerDuty, Alertmanager, and what apprise knows."""

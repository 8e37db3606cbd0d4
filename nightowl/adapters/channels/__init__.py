"""Where notices go: e-mail, webhooks, Slack, PagerDuty."""

"""The file that a new installation starts from."""

STARTER = """\
# NightOwl's configuration. Every key: docs/configuration.md. Proof: nightowl config check -c nightowl.toml
# Durations are strings ("30s", "1h30m"). Secrets are references: "${env:NAME}" or "${file:PATH}".

[server]
listen = "127.0.0.1:5555"
# public_url = "https://owl.example"       # links in notices begin with it

# [store]
# url = "postgresql://owl:${env:OWL_DB_PASSWORD}@db.example/owl"   # without it: SQLite

# [bus]
# broker = "amqp://owl:${env:OWL_BROKER_PASSWORD}@rabbit.example"  # without it: everything in one process

# [location.london]                        # places that run checks; without any there is one, "local"
# key = "${file:keys/london.key}"          # nightowl location add NAME makes both
# [location.office]
# reach = "private"                        # only what is allowed here; else all global addresses
# allow = [{ network = "10.0.0.0/8", ports = [80, 443] }]

# [template.web]                           # keys that checks take over by use = "web"
# every = "30s"
# timeout = "5s"
# warn = { duration = "2s", certificate = "14d" }

[check.example]
url = "https://example.com/"
every = "1m"
expect = { status = ["200-299"], body = "Example Domain" }
warn = { duration = "2s", certificate = "14d" }

# [check.database]
# url = "tcp://db.example:5432"
# severity = "warning"
# tags = { team = "shop" }

# [check.mail-record]
# url = "dns://example.com"                # also tls://HOST:PORT, icmp://HOST, smtp://HOST
# record = "MX"

# [channel.ops]
# kind = "slack"                           # or "email", "webhook", "pagerduty"
# url = "${env:SLACK_URL}"

# [route.default]                          # without any: everything to every channel
# match = { severity = "critical" }
# to = ["ops"]
"""
"""A commented TOML file that passes ``nightowl config check`` as it is."""

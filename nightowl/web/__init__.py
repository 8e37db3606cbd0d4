"""The face for people and programs: pages, API, and how they are kept to those who may see them.

``app.make_app(handlers)`` builds it; ``handlers.Handlers`` is all that it needs from the rest of NightOwl.
"""

"""Flower's HTTP API and the pages of it that scripts read, at Flower's own paths, with Flower's own answers.

What its clients rely on is written down in ``docs/from-flower.md``. Paths name no cluster, as Flower watches one: where
NightOwl watches several, ``?cluster=NAME`` says which.
"""

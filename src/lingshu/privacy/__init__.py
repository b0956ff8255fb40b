"""Shared: what may name a person in a text, found and masked."""

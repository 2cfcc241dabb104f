"""Writes of members: `signup`, `sessions`, `passwords`, `profile`."""

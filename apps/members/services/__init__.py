"""Writes of members, by topic: `signup`, `sessions`, `passwords`, `profile`; `social` logs in with
providers, `proofs` keeps each of their tokens from being used twice, `identities` links and unlinks
them, `notices` hears from them."""

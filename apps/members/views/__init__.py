"""The auth and members endpoints."""

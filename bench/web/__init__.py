"""How many requests a container answers per second of a processor, against FastAPI's stack."""

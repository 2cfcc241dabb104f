"""What a laptop needs and AWS does not: an embedded PostgreSQL and the launcher of `make run`.

`places` says where things are kept, `postgres` runs the server, `launcher` starts and stops
everything, `leash` ends what outlives the launcher, `install` makes `.venv`.
"""

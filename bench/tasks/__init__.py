"""Background tasks, ours and its peers: how fast they are, and what a `kill -9` does to them.

`python -m bench.tasks [throughput | enqueue | kills]`. Each contestant is real processes on a real
Redis or PostgreSQL that the benchmark starts for itself. What ran is counted outside of all of
them, in a file to which each task appends (`ledger`).
"""

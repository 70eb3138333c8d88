"""What each process counts, and where Prometheus reads it (docs/how-to/metrics.md).

The lowest layer: whoever has something to count declares it beside its code, or uses `instruments.py`.
"""

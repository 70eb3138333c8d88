"""What can be wrong with serving metrics."""


class MetricsPortError(RuntimeError):
    """METRICS_PORT cannot be used."""

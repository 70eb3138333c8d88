"""The active tracer, by opentelemetry. Imported only where a collector is configured: `tracing.start`."""

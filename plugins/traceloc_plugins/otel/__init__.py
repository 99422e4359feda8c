"""OpenTelemetry traces: every container and dialect that agent frameworks export."""

"""From recorded spans to a trace: shared by OpenTelemetry, Langfuse and MLflow."""

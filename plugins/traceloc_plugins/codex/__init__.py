"""The Codex CLI: rollout files of sessions, and the stream of ``codex exec --json``."""

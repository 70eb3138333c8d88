"""Commands to paste."""


def look_at(services: str) -> str:
    """What became of these services."""
    return f"docker compose ps --all {services}; docker compose logs --tail 50 {services}"


def start(services: str) -> str:
    """Look, and start what does not run."""
    return f"{look_at(services)}; docker compose up --detach {services}"


def restart(services: str) -> str:
    """Look, and start anew what runs."""
    return f"{look_at(services)}; docker compose restart {services}"

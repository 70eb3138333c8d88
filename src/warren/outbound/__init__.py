"""Connections that Warren opens on behalf of users: where they may go, and how long they may take."""

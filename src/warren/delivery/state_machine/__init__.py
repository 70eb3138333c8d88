"""The test of no sequence of events breaking an invariant, and the world that it plays. Only this line ships."""

"""HISTORY: as it stood, again event by event, decided again. Nothing here writes."""

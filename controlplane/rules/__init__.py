"""The alert rules and their playbooks."""

"""What a rollout was, for somebody who was not there: from the log alone, to keep and to print."""

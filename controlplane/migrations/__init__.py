"""The schema and its history: the only place that sees both the log's and the folds' tables."""

"""The control plane over HTTP: one file a slice, and in front of all of them one gate."""

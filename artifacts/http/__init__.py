"""Files of versions as answers: never other bytes than the manifest says."""

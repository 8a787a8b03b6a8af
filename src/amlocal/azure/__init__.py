"""The Azure target: the same files, sent to a workspace through azure-ai-ml's `MLClient`."""

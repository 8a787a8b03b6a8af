"""The command line: `aml NOUN VERB`, in the grammar of `az ml`."""

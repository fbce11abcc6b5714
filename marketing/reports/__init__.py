"""Reports on workflows: who got what, who answered how, who left where, what it brought."""

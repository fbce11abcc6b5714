"""Who pays for one campaign, or for one step of a workflow, besides what its template says."""

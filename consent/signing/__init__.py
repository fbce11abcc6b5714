"""Forms that people sign, and their signatures: from the wording to the proof."""

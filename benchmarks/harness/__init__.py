"""What every section needs: what it starts, what asks, what is counted, and how it is told."""

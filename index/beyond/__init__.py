"""What reaches past one machine: vectors in a server, articles read and encoded by a cluster."""

package redisstore

// Kill ends s as the death of its process would: without releasing leases.
func (s *Store) Kill() { _ = s.close(false) }

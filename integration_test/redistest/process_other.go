//go:build !linux

package redistest

import "os/exec"

// EndWithParent does nothing: only Linux ends a process with its parent.
func EndWithParent(*exec.Cmd) {}

package redistest

import (
	"os/exec"
	"syscall"
)

// EndWithParent has the kernel end cmd if the test process dies before it can
// do so: go test kills a package that runs into its time limit.
func EndWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

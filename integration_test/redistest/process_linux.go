package redistest

import (
	"os/exec"
	"syscall"
)

// endWithParent has the kernel end cmd if the test process dies before it can
// do so: go test kills a package that runs into its time limit.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/wait"
)

const (
	defaultImage = "redis:8"
	foundTimeout = 20 * time.Second
	pullTimeout  = 3 * time.Minute
	redisPort    = "6379/tcp"

	// A container carries the process it belongs to, so that a later run can
	// remove what a killed run left behind.
	labelHost = "com.github.reprise-go.redistest.host"
	labelPID  = "com.github.reprise-go.redistest.pid"
)

// testcontainers reads its settings once, at its first use, wherever that is.
func init() {
	// The reaper is a second image, which cannot be pulled everywhere; sweep
	// does its work. Who wants the reaper sets the variable to false.
	if _, set := os.LookupEnv("TESTCONTAINERS_RYUK_DISABLED"); !set {
		_ = os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true") // fails for an invalid name only
	}
	log.SetDefault(log.NewNoopLogger()) // the one line of report is enough
}

// fromDocker runs Redis in a container.
func fromDocker(ctx context.Context, say reporter) (s *server, err error) {
	// Where no engine is configured, testcontainers panics.
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, fmt.Errorf("no Docker engine: %v", p)
		}
	}()
	engine, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return nil, fmt.Errorf("no Docker engine: %w", err)
	}
	defer engine.Close()
	if err := sweep(ctx, engine); err != nil {
		return nil, fmt.Errorf("cannot remove old containers: %w", err)
	}
	image, err := chooseImage(ctx, engine, say)
	if err != nil {
		return nil, err
	}
	return runContainer(ctx, image)
}

// chooseImage returns the name of an image that the engine has.
func chooseImage(ctx context.Context, engine client.APIClient, say reporter) (string, error) {
	image := os.Getenv("REDIS_IMAGE")
	if image == "" {
		image = defaultImage
	}
	if _, err := engine.ImageInspect(ctx, image); err == nil {
		return image, nil
	}
	err := pull(ctx, engine, image)
	if err == nil {
		return image, nil
	}
	say("cannot pull %s (%s): building an image from this machine's redis-server", image, firstLine(err))
	return localImage(ctx, say)
}

// pull asks once: testcontainers would ask again and again, up to the
// deadline, where no registry is within reach. The engine answers when it has
// found the image, so a registry that hangs costs less than a slow one may.
func pull(ctx context.Context, engine client.APIClient, image string) error {
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	ctx, hangs := context.WithCancelCause(ctx)
	defer hangs(nil)
	timer := time.AfterFunc(foundTimeout, func() { hangs(fmt.Errorf("no answer within %v", foundTimeout)) })
	progress, err := engine.ImagePull(ctx, image, client.ImagePullOptions{})
	timer.Stop()
	if err == nil {
		err = progress.Wait(ctx)
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// runContainer starts image and returns when it answers.
func runContainer(ctx context.Context, image string) (*server, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	c, err := testcontainers.Run(ctx, image,
		testcontainers.WithExposedPorts(redisPort),
		testcontainers.WithLabels(map[string]string{labelHost: host, labelPID: strconv.Itoa(os.Getpid())}),
		// A cache test needs no snapshots, and a fork in the middle of one
		// would only disturb its timing.
		testcontainers.WithCmd("--save", "", "--appendonly", "no", "--protected-mode", "no"),
		testcontainers.WithWaitStrategyAndDeadline(time.Minute, wait.ForLog("Ready to accept connections")),
	)
	s := &server{from: "testcontainers, " + image, end: func() error { return testcontainers.TerminateContainer(c) }}
	if err == nil {
		s.addr, err = containerAddr(ctx, c)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("container of %s: %w", image, err), s.end())
	}
	return s, nil
}

// containerAddr returns the address at which c answers. testcontainers takes a
// test that itself runs in a container for a sibling of c and sends it to the
// gateway; where the engine runs in that same container the published port is
// on the loopback. So the near addresses are tried first.
func containerAddr(ctx context.Context, c *testcontainers.DockerContainer) (string, error) {
	port, err := c.MappedPort(ctx, redisPort)
	if err != nil {
		return "", err
	}
	inner, err := c.ContainerIP(ctx)
	if err != nil {
		return "", err
	}
	published, err := c.PortEndpoint(ctx, redisPort, "")
	if err != nil {
		return "", err
	}
	var errs []error
	for _, addr := range []string{
		net.JoinHostPort("127.0.0.1", port.Port()),
		net.JoinHostPort(inner, "6379"),
		published,
	} {
		err := awaitPing(ctx, addr, 3*time.Second)
		if err == nil {
			return addr, nil
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}

// sweep removes the containers of test processes that were killed before they
// could.
func sweep(ctx context.Context, engine client.APIClient) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	list, err := engine.ContainerList(ctx, client.ContainerListOptions{
		All:     true,
		Filters: make(client.Filters).Add("label", labelHost+"="+host),
	})
	if err != nil {
		return err
	}
	for _, c := range list.Items {
		if !orphaned(c) {
			continue
		}
		_, err := engine.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && !errdefs.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// orphaned tells whether the process that started c is no more.
func orphaned(c container.Summary) bool {
	pid, err := strconv.Atoi(c.Labels[labelPID])
	return err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

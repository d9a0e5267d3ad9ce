package heap

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSize(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 8, 8: 8, 9: 16, 100: 112, 1024: 1024, 1025: 1152, 16385: 18432, 32768: 32768, 32769: 40960, 1 << 20: 1 << 20} {
		if got := Size(n); got != want {
			t.Errorf("%d bytes take %d, want %d", n, got, want)
		}
	}
}

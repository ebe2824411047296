//go:build linux

package chaos

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/honua-io/honua-gitops/test/harness"
)

// repository is the configuration repository, which the committer and the faults change.
type repository struct {
	mu       sync.Mutex
	repo     *harness.Repo
	commits  int
	layers   int
	rewrites int
}

// mostLayers is how many layers are added to an environment at most.
const mostLayers = 20

// Commit changes an environment in one of several ways; one in fifteen is broken.
func (r *repository) Commit(environment string, random *rand.Rand) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commits++
	switch chance := random.IntN(15); {
	case chance == 0:
		r.repo.Write("environments/"+environment+"/metadata.json", fmt.Sprintf("{\n  \"services\": [ broken %d\n", r.commits))
		commit := r.repo.Commit(fmt.Sprintf("Break %s, %d", environment, r.commits))
		r.repo.WriteMetadata(environment) // whole again with whatever is committed next
		return commit
	case chance < 4 && r.layers < mostLayers:
		r.layers++
		return r.repo.AddLayer(environment, fmt.Sprintf("layer-%d", r.commits))
	default:
		return r.repo.SetTitle(environment, fmt.Sprintf("Cities %d", r.commits))
	}
}

// Rewrite takes the newest commits off the branch and puts another one in their place.
func (r *repository) Rewrite(random *rand.Rand) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commits++
	r.rewrites++
	back := min(1+random.IntN(3), len(r.repo.Commits())-1)
	if back > 0 {
		r.repo.Git("reset", "-q", "--soft", fmt.Sprintf("HEAD~%d", min(back, r.depth()-1)))
	}
	r.repo.Write("README.md", fmt.Sprintf("Rewritten, %d.\n", r.commits))
	return r.repo.Commit(fmt.Sprintf("Rewrite, %d", r.commits))
}

// depth is how many commits the branch has.
func (r *repository) depth() (n int) {
	_, _ = fmt.Sscan(r.repo.Git("rev-list", "--count", "HEAD"), &n)
	return n
}

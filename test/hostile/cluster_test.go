package hostile

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/test/harness"
)

// maxTogether bounds the memory of a node and of its fetching process.
const maxTogether = 512 << 20

// shown are the cases that run against nodes: some of each phase.
var shown = []string{
	"refuses/advertise/endless 401", "redirects/advertise/another host", "empty/advertise/no refs",
	"stalls/fetch/half a pack", "truncated/fetch/in an object", "corrupt/unpack/flipped bits",
	"bombs/unpack/four billion objects", "bombs/walk/a billion paths in the folder", "special/walk/symbolic link",
	"missing/read/file", "bombs/read/128 MiB of zeros", "bombs/read/small file as a delta of 128 MiB",
	"bombs/parse/aliases of aliases", "empty/parse/no bytes",
}

// siege is a cluster whose repository is attacked.
type siege struct {
	*harness.Cluster
	t    *testing.T
	site *Site
	// met are the codes of faults that are on record: what comes back within the hour is the same fault.
	met map[string]bool
}

// What is served stays, one fault is one record however often it is met and whoever leads, environments whose files are
// good go on, and node and fetching process stay under 512 MB together (I6, I12, I16, I17).
func TestClusterUnderAttack(t *testing.T) {
	t.Parallel()
	site := NewSite(t)
	// The branch goes back from each attack to what was good before.
	open := harness.Section{"RequiresApproval": false, "MinimumRiskLevelForApproval": "Critical", "ForcePush": "allow"}
	c := &siege{t: t, site: site, met: map[string]bool{}, Cluster: harness.Start(t, harness.Options{
		Environments: []string{Environment, Neighbour}, RepositoryOf: func(string) string { return site.URL },
		Policies: map[string]harness.Section{Environment: open, Neighbour: open},
		Adjust: func(_ *harness.Node, settings harness.Section) {
			settings["GitOps"].(harness.Section)["Limits"] = harness.Section{"FetchTimeout": "00:00:10"}
		},
	})}
	allowed := []string{c.AwaitServed(Environment, site.Good).GetActiveDigest()}
	observer := harness.Observe(t.Context(), Environment, c.Nodes...)
	for _, id := range shown {
		cases := Cases()
		at := slices.IndexFunc(cases, func(a Case) bool { return a.ID() == id })
		if at < 0 {
			t.Fatalf("there is no case %s", id)
		}
		if a := cases[at]; a.Code == Accepted {
			site.attack(a)
			c.sync()
			allowed = append(allowed, c.AwaitServed(Environment, site.Repo.Head(branch)).GetActiveDigest())
		} else {
			c.endure(a)
		}
		c.sync()
		site.Recover()
		c.sync()
		allowed = append(allowed, c.AwaitServed(Environment, site.Good).GetActiveDigest())
		c.AwaitServed(Neighbour, site.Good)
	}
	digests, requests, failures := observer.Stop()
	if len(failures) > 0 || requests == 0 {
		t.Errorf("%d of %d requests failed: %v", len(failures), requests, failures)
	}
	for _, digest := range digests {
		if !slices.Contains(allowed, digest) {
			t.Errorf("I6: %s was served, which was never good", digest)
		}
	}
	c.checkMemory()
	c.CheckJournals(Environment)
	c.CheckDeployments(Environment)
	c.AwaitEqualStates()
}

// endure attacks, and looks at what comes of it: one record, and no other with further polls and with another leader.
func (c *siege) endure(a Case) {
	c.t.Helper()
	before := c.records(a)
	c.site.attack(a)
	head := c.site.Repo.Head(branch)
	c.sync()
	want := before + 1
	if c.met[a.Code] {
		want = before
	}
	c.met[a.Code] = !slices.Contains([]string{rejected, "validation_failed", "policy_invalid"}, a.Code)
	harness.Eventually(c.t, harness.DeployWithin, func() error {
		if n := c.records(a); n < want {
			return fmt.Errorf("%s is not on record", a.ID())
		}
		e, err := c.Environment(Environment)
		if err == nil && c.met[a.Code] && e.GetPollError() == "" {
			err = fmt.Errorf("%s is not met", a.ID())
		}
		return err
	})
	for range 3 {
		c.sync()
	}
	if a.Code == "authentication_failed" {
		// Handed over, not killed: no request may fail here.
		c.CLI("cluster", "transfer-leader").Expect(c.t, 0)
		c.sync()
	}
	if n := c.records(a); n != want {
		c.t.Errorf("I16: %s is on record %d times, not %d", a.ID(), n-before, want-before)
	}
	if a.Local() {
		c.AwaitServed(Neighbour, head)
	}
}

// sync has the branch polled, and waits until that is done.
func (c *siege) sync() {
	c.t.Helper()
	r := c.CLI("environment", "sync", Neighbour, "--timeout", "40s")
	if r.Code == 5 || r.Code == 6 {
		c.t.Fatalf("sync: %s", r.Err)
	}
}

// records counts what the audit says of a case's fault, or of failed deployments of its environment for its reason.
func (c *siege) records(a Case) int {
	c.t.Helper()
	var list struct {
		Records []struct{ Action, Environment, Reason string }
	}
	c.CLI("audit", "list", "--limit", "0", "-o", "json").Expect(c.t, 0).Decode(c.t, &list)
	n := 0
	for _, r := range list.Records {
		code, fault := strings.CutPrefix(r.Action, "fault.")
		failed := r.Action == "deployment.failed" && r.Environment == Environment && a.Comes(r.Reason)
		if fault && a.Comes(code) || failed {
			n++
		}
	}
	return n
}

var resident = regexp.MustCompile(`max_rss_bytes=(\d+)`)

// checkMemory adds the most that each node ever had in memory and the most that a fetching process of it had.
func (c *siege) checkMemory() {
	c.t.Helper()
	for _, n := range c.Nodes {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.PID()))
		if err != nil {
			c.t.Fatal(err)
		}
		_, peak, _ := strings.Cut(string(status), "VmHWM:")
		kib, err := strconv.ParseInt(strings.Fields(peak)[0], 10, 64)
		if err != nil {
			c.t.Fatal(err)
		}
		child := int64(0)
		for _, m := range resident.FindAllStringSubmatch(n.Log(), -1) {
			bytes, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				c.t.Fatal(err)
			}
			child = max(child, bytes)
		}
		c.t.Logf("%s: %d MiB, its fetching processes at most %d MiB", n.ID, kib>>10, child>>20)
		if kib<<10+child > maxTogether {
			c.t.Errorf("%s and its fetching process took %d MiB together", n.ID, (kib<<10+child)>>20)
		}
	}
}

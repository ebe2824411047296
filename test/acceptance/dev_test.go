package acceptance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/honua-io/honua-gitops/test/harness"
)

// dev is a running `honua dev`.
type dev struct {
	t       *testing.T
	dir     string
	output  string
	ports   harness.Ports
	process *harness.Process
}

// devNode is a line of nodes.json.
type devNode struct {
	ID          string `json:"id"`
	PID         int    `json:"pid"`
	HTTPAddress string `json:"httpAddress"`
	GRPCAddress string `json:"grpcAddress"`
}

func (d *dev) start(flags ...string) {
	d.t.Helper()
	command := exec.Command(harness.Binary(d.t), append([]string{"dev"}, flags...)...)
	command.Dir = d.dir
	process, err := harness.StartProcess(command, d.output)
	if err != nil {
		d.t.Fatal(err)
	}
	d.process = process
	d.t.Cleanup(process.Kill)
	lives := strings.Count(d.said(), "\nready")
	harness.Eventually(d.t, harness.StartWithin, func() error {
		if strings.Count(d.said(), "\nready") <= lives {
			return fmt.Errorf("not ready:\n%s", d.said())
		}
		return nil
	})
}

// stop is Ctrl-C: it has to end in order, and take every node with it.
func (d *dev) stop() {
	d.t.Helper()
	nodes := d.nodes()
	if err := d.process.Stop(syscall.SIGINT); err != nil {
		d.t.Errorf("honua dev: %v\n%s", err, d.said())
	}
	for _, n := range nodes {
		if n.PID > 0 && syscall.Kill(n.PID, 0) == nil {
			d.t.Errorf("%s, process %d, was left behind", n.ID, n.PID)
		}
	}
}

func (d *dev) said() string {
	content, err := os.ReadFile(d.output)
	if err != nil && !os.IsNotExist(err) {
		d.t.Error(err)
	}
	return string(content)
}

func (d *dev) nodes() []devNode {
	d.t.Helper()
	var list struct {
		Nodes []devNode `json:"nodes"`
	}
	content, err := os.ReadFile(filepath.Join(d.dir, ".honua-dev", "nodes.json"))
	if err == nil {
		err = json.Unmarshal(content, &list)
	}
	if err != nil || len(list.Nodes) != 3 {
		d.t.Fatalf("nodes.json: %v, %+v", err, list)
	}
	return list.Nodes
}

func (d *dev) cli(args ...string) harness.Result {
	d.t.Helper()
	return harness.CLI(d.t, []string{"127.0.0.1:" + strconv.Itoa(d.ports.Base())}, args...)
}

// overview is what scripts read of `honua status -o json`.
type overview struct {
	Cluster struct {
		ClusterID string `json:"clusterId"`
		LeaderID  string `json:"leaderId"`
		Servers   []struct {
			ID      string `json:"id"`
			Leader  bool   `json:"leader"`
			Healthy bool   `json:"healthy"`
		} `json:"servers"`
	} `json:"cluster"`
	Environments []struct {
		Name           string `json:"name"`
		DeployedCommit string `json:"deployedCommit"`
	} `json:"environments"`
}

// checkWhole checks that there are three healthy nodes and one leader, and that each node serves the cities.
func (d *dev) checkWhole() (o overview) {
	d.t.Helper()
	harness.Eventually(d.t, harness.StartWithin, func() error {
		r := d.cli("status", "-o", "json")
		if r.Code != 0 {
			return fmt.Errorf("status: %s%s", r.Out, r.Err)
		}
		o = overview{}
		r.Decode(d.t, &o)
		leaders, healthy := 0, 0
		for _, s := range o.Cluster.Servers {
			if s.Leader && s.ID == o.Cluster.LeaderID {
				leaders++
			}
			if s.Healthy {
				healthy++
			}
		}
		if len(o.Cluster.Servers) != 3 || leaders != 1 || healthy != 3 {
			return fmt.Errorf("%+v", o.Cluster)
		}
		return d.serve()
	})
	return o
}

func (d *dev) serve() error {
	for _, n := range d.nodes() {
		r, err := harness.Get(d.t.Context(), "http://"+n.HTTPAddress+"/ogc/collections")
		if err != nil || r.Code != http.StatusOK || !strings.Contains(string(r.Body), `"cities"`) {
			return fmt.Errorf("%s: %w, status %d: %s", n.ID, err, r.Code, r.Body)
		}
		r, err = harness.Get(d.t.Context(), "http://"+n.HTTPAddress+"/ogc/collections/cities/items?limit=10")
		if err != nil {
			return err
		}
		var page struct {
			Features []json.RawMessage `json:"features"`
		}
		if err := r.Decode(&page); err != nil || len(page.Features) != 10 {
			return fmt.Errorf("%s: %w, %d features", n.ID, err, len(page.Features))
		}
	}
	return nil
}

// From an empty directory to a cluster in one command; nodes that die come back; it ends with Ctrl-C and goes on where
// it was.
func TestDevFromAnEmptyDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := &dev{t: t, dir: dir, output: filepath.Join(t.TempDir(), "output"), ports: harness.TakePorts(t)}
	d.start("--base-http", strconv.Itoa(d.ports.HTTP()), "--base-port", strconv.Itoa(d.ports.Base()))
	first := d.checkWhole()
	d.checkRestart()
	d.checkCommit()
	before := d.deployments()
	d.stop()

	d.start() // the directory knows the rest
	if again := d.checkWhole(); again.Cluster.ClusterID != first.Cluster.ClusterID || first.Cluster.ClusterID == "" {
		t.Errorf("cluster %q, then %q", first.Cluster.ClusterID, again.Cluster.ClusterID)
	}
	if after := d.deployments(); !slices.Equal(before, after) {
		t.Errorf("deployments %v, after a restart %v", before, after)
	}
	d.stop()
}

func (d *dev) deployments() (ids []string) {
	d.t.Helper()
	var list struct {
		Deployments []deployment `json:"deployments"`
	}
	d.cli("deployment", "list", "-o", "json").Expect(d.t, 0).Decode(d.t, &list)
	for _, one := range list.Deployments {
		ids = append(ids, one.ID+" "+one.State)
	}
	return ids
}

// A node that is killed is started again after three seconds, and honua dev says so.
func (d *dev) checkRestart() {
	d.t.Helper()
	victim := d.nodes()[1]
	if err := syscall.Kill(victim.PID, syscall.SIGKILL); err != nil {
		d.t.Fatal(err)
	}
	killed := time.Now()
	harness.Eventually(d.t, harness.StartWithin, func() error {
		if pid := d.nodes()[1].PID; pid == victim.PID || pid == 0 {
			return fmt.Errorf("process %d", pid)
		}
		return nil
	})
	if down := time.Since(killed); down < 2900*time.Millisecond {
		d.t.Errorf("it was started again after %s", down)
	}
	harness.Eventually(d.t, harness.StartWithin, func() error {
		said := d.said()
		if !strings.Contains(said, victim.ID+" (process "+strconv.Itoa(victim.PID)+") has died") || !strings.Contains(said, victim.ID+" was started again") {
			return fmt.Errorf("honua dev does not say that %s died and was started again:\n%s", victim.ID, said)
		}
		return nil
	})
	d.checkWhole()
}

// The welcome's advice works: edit, commit, sync.
func (d *dev) checkCommit() {
	d.t.Helper()
	file := filepath.Join(d.dir, ".honua-dev", "config", "environments", "development", "metadata.json")
	content, err := os.ReadFile(file)
	if err != nil {
		d.t.Fatal(err)
	}
	edited := strings.Replace(string(content), "World Cities", "Cities of the World", 1)
	if err := os.WriteFile(file, []byte(edited), 0o644); err != nil {
		d.t.Fatal(err)
	}
	commit := exec.Command("git", "-c", "user.name=ada", "-c", "user.email=ada@example.com", "commit", "-q", "-a", "-m", "Another title")
	commit.Dir = filepath.Dir(file)
	if out, err := commit.CombinedOutput(); err != nil {
		d.t.Fatalf("%v: %s", err, out)
	}
	d.cli("environment", "sync", development).Expect(d.t, 0)
	for _, n := range d.nodes() {
		harness.Eventually(d.t, harness.DeployWithin, func() error {
			r, err := harness.Get(d.t.Context(), "http://"+n.HTTPAddress+"/ogc/collections/cities")
			if err == nil && !strings.Contains(string(r.Body), "Cities of the World") {
				err = fmt.Errorf("%s answers %s", n.ID, r.Body)
			}
			return err
		})
	}
	if list := d.deployments(); len(list) != 2 {
		d.t.Errorf("deployments after one commit: %v", list)
	}
}

package checks

import (
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/honua-io/honua-gitops/internal/config"
)

func folders() []string { return []string{"base", "overlays/production", "overlays/staging"} }

// workload is what runs pods.
type workload struct {
	name     string
	selector *meta.LabelSelector
	pod      core.PodTemplateSpec
	claims   []core.PersistentVolumeClaim
}

func (o *objects) workloads() []workload {
	var list []workload
	for name, s := range o.sets {
		list = append(list, workload{"StatefulSet " + name, s.Spec.Selector, s.Spec.Template, s.Spec.VolumeClaimTemplates})
	}
	for name, d := range o.readers {
		list = append(list, workload{"Deployment " + name, d.Spec.Selector, d.Spec.Template, nil})
	}
	return list
}

func TestManifests(t *testing.T) {
	for _, folder := range folders() {
		t.Run(folder, func(t *testing.T) {
			o := render(t, folder)
			if len(o.workloads()) != 2 {
				t.Fatalf("%d workloads", len(o.workloads()))
			}
			for _, w := range o.workloads() {
				o.checkPod(t, w)
				o.checkVolumes(t, w)
				checkConfiguration(t, o, w)
			}
			o.checkSelectors(t)
			o.checkPorts(t)
			o.checkQuorum(t)
		})
	}
}

// checkPod: hardened, limited, probed, and it waits before it stops.
func (o *objects) checkPod(t *testing.T, w workload) {
	t.Helper()
	if !selects(t, w.selector, w.pod.Labels) {
		t.Errorf("%s does not select its own pods", w.name)
	}
	spec := w.pod.Spec
	if o.accounts[spec.ServiceAccountName] == nil {
		t.Errorf("%s: no service account %q", w.name, spec.ServiceAccountName)
	}
	if spec.SecurityContext == nil || spec.SecurityContext.RunAsNonRoot == nil || !*spec.SecurityContext.RunAsNonRoot {
		t.Errorf("%s may run as root", w.name)
	}
	if spec.Affinity == nil || spec.Affinity.PodAntiAffinity == nil {
		t.Errorf("%s has no anti-affinity", w.name)
	}
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		s := c.SecurityContext
		if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
			s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Capabilities == nil {
			t.Errorf("%s: container %s is not hardened", w.name, c.Name)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
			t.Errorf("%s: container %s has no limits", w.name, c.Name)
		}
		if strings.HasSuffix(c.Image, ":latest") && strings.Contains(w.name, "production") {
			t.Errorf("%s: %s", w.name, c.Image)
		}
	}
	c := spec.Containers[0]
	if c.StartupProbe == nil || c.LivenessProbe == nil || c.ReadinessProbe == nil || c.Lifecycle == nil || c.Lifecycle.PreStop == nil {
		t.Errorf("%s lacks a probe or preStop", w.name)
	}
	for _, p := range []*core.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
		if !hasPort(w, p.HTTPGet.Port) || !slices.Contains([]string{"/health/live", "/health/ready"}, p.HTTPGet.Path) {
			t.Errorf("%s: probe of %s at %s", w.name, p.HTTPGet.Path, p.HTTPGet.Port.String())
		}
	}
}

func (o *objects) checkVolumes(t *testing.T, w workload) {
	t.Helper()
	names := map[string]bool{}
	for _, claim := range w.claims {
		names[claim.Name] = true
	}
	for _, v := range w.pod.Spec.Volumes {
		names[v.Name] = true
		switch {
		case v.ConfigMap != nil && o.configs[v.ConfigMap.Name] == nil:
			t.Errorf("%s: no ConfigMap %s", w.name, v.ConfigMap.Name)
		case v.Secret != nil && o.secrets[v.Secret.SecretName] == nil:
			t.Errorf("%s: no Secret %s", w.name, v.Secret.SecretName)
		}
	}
	for _, c := range slices.Concat(w.pod.Spec.InitContainers, w.pod.Spec.Containers) {
		for _, m := range c.VolumeMounts {
			if !names[m.Name] {
				t.Errorf("%s: container %s mounts %s, which is no volume", w.name, c.Name, m.Name)
			}
		}
		for _, e := range c.Env {
			if e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil {
				continue
			}
			ref := e.ValueFrom.SecretKeyRef
			if s := o.secrets[ref.Name]; s == nil || !hasKey(s, ref.Key) {
				t.Errorf("%s: no key %s in Secret %s", w.name, ref.Key, ref.Name)
			}
		}
	}
}

func hasKey(s *core.Secret, key string) bool {
	_, data := s.Data[key]
	_, text := s.StringData[key]
	return data || text
}

// checkConfiguration: the program takes the configuration with the pod's variables over it, and finds the mounted files.
func checkConfiguration(t *testing.T, o *objects, w workload) {
	t.Helper()
	var environ []string
	for _, e := range w.pod.Spec.Containers[0].Env {
		value := strings.ReplaceAll(e.Value, "$(Cluster__NodeId)", "honua-0")
		if e.ValueFrom != nil && e.ValueFrom.FieldRef != nil {
			value = map[string]string{"metadata.name": "honua-0", "status.podIP": "10.0.0.7"}[e.ValueFrom.FieldRef.FieldPath]
		}
		environ = append(environ, e.Name+"="+value)
	}
	text := o.configs["honua-config"].Data["appsettings.Production.json"]
	c, err := config.Parse("honua-config", []byte(text), environ)
	if err != nil {
		t.Errorf("%s: %v", w.name, err)
		return
	}
	if len(c.Warnings) > 0 {
		t.Errorf("%s: %v", w.name, c.Warnings)
	}
	reader := strings.HasPrefix(w.name, "Deployment")
	if c.Cluster.Voter == reader || reader && c.Cluster.BootstrapExpect != 1 || !reader && c.Cluster.BootstrapExpect != len(c.Cluster.Join) {
		t.Errorf("%s: voter %v, expects %d", w.name, c.Cluster.Voter, c.Cluster.BootstrapExpect)
	}
	for _, path := range []string{
		c.Cluster.DataDirectory, c.GitOps.StateDirectory, c.GitOps.ApprovalDirectory, c.GitOps.RepositoryPath, c.Registry.DataDirectory,
		c.Cluster.TLS.CAFile, c.Cluster.TLS.CertFile, c.Cluster.TLS.KeyFile, c.GitOps.Credentials.SSHKeyFile,
	} {
		if !o.mounted(w, path) {
			t.Errorf("%s: %s is on no volume, or no key of it", w.name, path)
		}
	}
	for _, peer := range c.Cluster.Join {
		host, _, _ := strings.Cut(peer, ".")
		if service := strings.TrimSuffix(strings.TrimPrefix(peer, host+"."), ":7702"); o.services[service] == nil {
			t.Errorf("%s: %s is behind no Service", w.name, peer)
		}
	}
}

// mounted: the path is below a mount; below a secret it names a key.
func (o *objects) mounted(w workload, path string) bool {
	for _, m := range w.pod.Spec.Containers[0].VolumeMounts {
		rest, below := strings.CutPrefix(path, m.MountPath+"/")
		if !below {
			continue
		}
		for _, v := range w.pod.Spec.Volumes {
			if v.Name == m.Name && v.Secret != nil {
				return hasKey(o.secrets[v.Secret.SecretName], rest)
			}
		}
		return true
	}
	return false
}

func selects(t *testing.T, selector *meta.LabelSelector, set map[string]string) bool {
	t.Helper()
	s, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return !s.Empty() && s.Matches(labels.Set(set))
}

// selected are the workloads whose pods have the labels.
func (o *objects) selected(t *testing.T, selector *meta.LabelSelector) (found []workload) {
	t.Helper()
	for _, w := range o.workloads() {
		if selects(t, selector, w.pod.Labels) {
			found = append(found, w)
		}
	}
	return found
}

// checkSelectors: what selects pods selects some; what names something names it.
func (o *objects) checkSelectors(t *testing.T) {
	t.Helper()
	for name, s := range o.services {
		if len(o.selected(t, &meta.LabelSelector{MatchLabels: s.Spec.Selector})) == 0 {
			t.Errorf("Service %s selects nothing", name)
		}
	}
	for name, b := range o.budgets {
		if found := o.selected(t, b.Spec.Selector); len(found) != 1 || b.Spec.MaxUnavailable.IntVal != 1 {
			t.Errorf("PodDisruptionBudget %s selects %d workloads", name, len(found))
		}
	}
	for name, p := range o.policies {
		if len(o.selected(t, &p.Spec.PodSelector)) != 2 {
			t.Errorf("NetworkPolicy %s does not hold for all pods", name)
		}
	}
	for name, h := range o.scalers {
		if o.readers[h.Spec.ScaleTargetRef.Name] == nil || *h.Spec.MinReplicas != 2 || h.Spec.MaxReplicas > 10 {
			t.Errorf("HorizontalPodAutoscaler %s: %+v", name, h.Spec)
		}
	}
	for name, m := range o.monitors {
		found := 0
		for _, s := range o.services {
			if selects(t, &m.Spec.Selector, s.Labels) {
				found++
				for _, e := range m.Spec.Endpoints {
					if !slices.ContainsFunc(s.Spec.Ports, func(p core.ServicePort) bool { return p.Name == e.Port }) {
						t.Errorf("ServiceMonitor %s: Service %s has no port %s", name, s.Name, e.Port)
					}
				}
			}
		}
		if found != 1 {
			t.Errorf("ServiceMonitor %s selects %d services, so that pods are scraped as often", name, found)
		}
	}
	for name, s := range o.sets {
		if service := o.services[s.Spec.ServiceName]; service == nil || service.Spec.ClusterIP != "None" || !service.Spec.PublishNotReadyAddresses {
			t.Errorf("StatefulSet %s: Service %s is not headless", name, s.Spec.ServiceName)
		}
	}
}

func hasPort(w workload, port intstr.IntOrString) bool {
	return slices.ContainsFunc(w.pod.Spec.Containers[0].Ports, func(p core.ContainerPort) bool {
		return p.Name == port.StrVal || p.ContainerPort == port.IntVal
	})
}

func (o *objects) checkPorts(t *testing.T) {
	t.Helper()
	for name, s := range o.services {
		for _, w := range o.selected(t, &meta.LabelSelector{MatchLabels: s.Spec.Selector}) {
			for _, p := range s.Spec.Ports {
				if !hasPort(w, p.TargetPort) {
					t.Errorf("Service %s: %s has no port %s", name, w.name, p.TargetPort.String())
				}
			}
		}
	}
	for name, p := range o.policies {
		for _, rule := range p.Spec.Ingress {
			for _, port := range rule.Ports {
				if !hasPort(o.workloads()[0], *port.Port) {
					t.Errorf("NetworkPolicy %s: no port %s", name, port.Port.String())
				}
			}
		}
	}
	for name, i := range o.ingresses {
		for _, rule := range i.Spec.Rules {
			for _, path := range rule.HTTP.Paths {
				service := o.services[path.Backend.Service.Name]
				if service == nil || service.Spec.Ports[0].Name != path.Backend.Service.Port.Name {
					t.Errorf("Ingress %s: %s leads nowhere", name, path.Path)
				}
			}
		}
	}
}

// checkQuorum: three voters, which stay three when what serves grows.
func (o *objects) checkQuorum(t *testing.T) {
	t.Helper()
	voters := o.sets["honua"]
	if voters == nil || *voters.Spec.Replicas != 3 || len(voters.Spec.VolumeClaimTemplates) == 0 {
		t.Error("no three voters with volumes of their own")
	}
	if o.readers["honua-readers"].Spec.Replicas != nil {
		t.Error("the readers' number is the autoscaler's")
	}
}

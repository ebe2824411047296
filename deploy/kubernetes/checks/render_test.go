package checks

import (
	"bytes"
	"fmt"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// objects are what one kustomization makes, by kind and name.
type objects struct {
	accounts  map[string]*core.ServiceAccount
	spaces    map[string]*core.Namespace
	configs   map[string]*core.ConfigMap
	secrets   map[string]*core.Secret
	services  map[string]*core.Service
	sets      map[string]*apps.StatefulSet
	readers   map[string]*apps.Deployment
	scalers   map[string]*autoscaling.HorizontalPodAutoscaler
	budgets   map[string]*policy.PodDisruptionBudget
	policies  map[string]*networking.NetworkPolicy
	ingresses map[string]*networking.Ingress
	monitors  map[string]*monitoring.ServiceMonitor
	rules     map[string]*monitoring.PrometheusRule
}

func render(t *testing.T, folder string) *objects {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "../"+folder)
	if err != nil {
		t.Fatal(err)
	}
	o := &objects{
		map[string]*core.ServiceAccount{}, map[string]*core.Namespace{}, map[string]*core.ConfigMap{}, map[string]*core.Secret{},
		map[string]*core.Service{}, map[string]*apps.StatefulSet{}, map[string]*apps.Deployment{},
		map[string]*autoscaling.HorizontalPodAutoscaler{}, map[string]*policy.PodDisruptionBudget{},
		map[string]*networking.NetworkPolicy{}, map[string]*networking.Ingress{},
		map[string]*monitoring.ServiceMonitor{}, map[string]*monitoring.PrometheusRule{},
	}
	for _, r := range made.Resources() {
		text, err := r.AsYAML()
		if err == nil {
			err = o.add(r.GetGvk().String(), r.GetName(), text)
		}
		if err != nil {
			t.Errorf("%s: %s %s: %v", folder, r.GetKind(), r.GetName(), err)
		}
	}
	return o
}

// add decodes one object strictly: an unknown or doubled field is an error.
func (o *objects) add(gvk, name string, text []byte) error {
	switch gvk {
	case "ServiceAccount.v1.[noGrp]":
		return decode(o.accounts, name, text)
	case "Namespace.v1.[noGrp]":
		return decode(o.spaces, name, text)
	case "ConfigMap.v1.[noGrp]":
		return decode(o.configs, name, text)
	case "Secret.v1.[noGrp]":
		return decode(o.secrets, name, text)
	case "Service.v1.[noGrp]":
		return decode(o.services, name, text)
	case "StatefulSet.v1.apps":
		return decode(o.sets, name, text)
	case "Deployment.v1.apps":
		return decode(o.readers, name, text)
	case "HorizontalPodAutoscaler.v2.autoscaling":
		return decode(o.scalers, name, text)
	case "PodDisruptionBudget.v1.policy":
		return decode(o.budgets, name, text)
	case "NetworkPolicy.v1.networking.k8s.io":
		return decode(o.policies, name, text)
	case "Ingress.v1.networking.k8s.io":
		return decode(o.ingresses, name, text)
	case "ServiceMonitor.v1.monitoring.coreos.com":
		return decode(o.monitors, name, text)
	case "PrometheusRule.v1.monitoring.coreos.com":
		return decode(o.rules, name, text)
	}
	return fmt.Errorf("unexpected kind %s", gvk)
}

func decode[T any](into map[string]*T, name string, text []byte) error {
	if into[name] != nil {
		return fmt.Errorf("twice")
	}
	into[name] = new(T)
	return yaml.UnmarshalStrict(bytes.TrimSpace(text), into[name])
}

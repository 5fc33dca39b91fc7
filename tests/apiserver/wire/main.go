// Prints the protobuf numbers of the kinds that stock clients send, for providers/simulator/src/apiserver/wire/fields.txt:
//
//	go run ./wire > ../../providers/simulator/src/apiserver/wire/fields.txt
//
// All of it is read from the tags of the published Go types.
package main

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	admissionregistration "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	autoscaling1 "k8s.io/api/autoscaling/v1"
	autoscaling2 "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	certificates "k8s.io/api/certificates/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	scheduling "k8s.io/api/scheduling/v1"
	storage "k8s.io/api/storage/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// roots are the bodies that a request may carry: apiVersion, then the types.
var roots = []struct {
	apiVersion string
	values     []any
}{
	{"meta", []any{meta.DeleteOptions{}}},
	{"v1", []any{core.Namespace{}, core.ConfigMap{}, core.Secret{}, core.Service{}, core.ServiceAccount{}, core.Pod{},
		core.Node{}, core.Event{}, core.PersistentVolume{}, core.PersistentVolumeClaim{}, core.Endpoints{},
		core.ResourceQuota{}, core.LimitRange{}, core.Binding{}, core.ReplicationController{}}},
	{"apps/v1", []any{apps.Deployment{}, apps.StatefulSet{}, apps.DaemonSet{}, apps.ReplicaSet{}, apps.ControllerRevision{}}},
	{"batch/v1", []any{batch.Job{}, batch.CronJob{}}},
	{"rbac.authorization.k8s.io/v1", []any{rbac.Role{}, rbac.RoleBinding{}, rbac.ClusterRole{}, rbac.ClusterRoleBinding{}}},
	{"networking.k8s.io/v1", []any{networking.Ingress{}, networking.NetworkPolicy{}, networking.IngressClass{}}},
	{"policy/v1", []any{policy.PodDisruptionBudget{}, policy.Eviction{}}},
	{"autoscaling/v1", []any{autoscaling1.HorizontalPodAutoscaler{}, autoscaling1.Scale{}}},
	{"autoscaling/v2", []any{autoscaling2.HorizontalPodAutoscaler{}}},
	{"scheduling.k8s.io/v1", []any{scheduling.PriorityClass{}}},
	{"storage.k8s.io/v1", []any{storage.StorageClass{}}},
	{"coordination.k8s.io/v1", []any{coordination.Lease{}}},
	{"discovery.k8s.io/v1", []any{discovery.EndpointSlice{}}},
	{"events.k8s.io/v1", []any{events.Event{}}},
	{"admissionregistration.k8s.io/v1", []any{admissionregistration.ValidatingWebhookConfiguration{}, admissionregistration.MutatingWebhookConfiguration{}}},
	{"certificates.k8s.io/v1", []any{certificates.CertificateSigningRequest{}}},
	{"authentication.k8s.io/v1", []any{authentication.SelfSubjectReview{}, authentication.TokenReview{}, authentication.TokenRequest{}}},
	{"authorization.k8s.io/v1", []any{authorization.SelfSubjectAccessReview{}, authorization.SelfSubjectRulesReview{}, authorization.SubjectAccessReview{}, authorization.LocalSubjectAccessReview{}}},
}

// leaves are types that have a form of their own in JSON.
var leaves = map[string]string{
	"k8s.io/apimachinery/pkg/api/resource.Quantity":    "quantity",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":        "time",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":   "microtime",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":    "duration",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":    "json",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":  "intorstring",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":     "json",
}

var (
	named = map[string]reflect.Type{}
	todo  []reflect.Type
)

func name(of reflect.Type) string {
	parts := strings.Split(of.PkgPath(), "/")
	group := parts[len(parts)-2]
	if version := parts[len(parts)-1]; version != "v1" {
		group += "-" + version
	}
	text := group + "." + of.Name()
	if _, known := named[text]; !known {
		named[text] = of
		todo = append(todo, of)
	}
	return text
}

func form(of reflect.Type) string {
	if leaf, is := leaves[of.PkgPath()+"."+of.Name()]; is {
		return leaf
	}
	switch of.Kind() {
	case reflect.Pointer:
		return form(of.Elem())
	case reflect.Bool:
		return "bool"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "int"
	case reflect.Float64:
		return "double"
	case reflect.String:
		return "string"
	case reflect.Slice:
		if of.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		if of.Name() != "" && of.PkgPath() != "" {
			// A named list is a message with one field (`ExtraValue`).
			return "list"
		}
		return "[" + form(of.Elem()) + "]"
	case reflect.Map:
		return "{" + form(of.Elem()) + "}"
	case reflect.Struct:
		return name(of)
	}
	panic(of.String())
}

type field struct {
	number int
	text   string
}

func fields(of reflect.Type) []field {
	var found []field
	for i := range of.NumField() {
		one := of.Field(i)
		tag := one.Tag.Get("protobuf")
		parts := strings.Split(one.Tag.Get("json"), ",")
		if tag == "" || tag == "-" {
			continue
		}
		var number int
		if _, err := fmt.Sscanf(strings.Split(tag, ",")[1], "%d", &number); err != nil {
			panic(of.String() + " " + tag)
		}
		text := fmt.Sprintf("%d %s %s", number, parts[0], form(one.Type))
		if parts[0] == "" {
			text = fmt.Sprintf("%d . %s", number, form(one.Type))
		}
		kind := one.Type.Kind()
		isScalar := kind == reflect.Bool || kind == reflect.String || kind == reflect.Int32 || kind == reflect.Int64 || kind == reflect.Int
		if isScalar && len(parts) > 1 && parts[1] == "omitempty" {
			text += " ?"
		}
		found = append(found, field{number, text})
	}
	sort.Slice(found, func(i, j int) bool { return found[i].number < found[j].number })
	return found
}

func main() {
	fmt.Println(`# The protobuf form of the bodies that stock clients send: facts of the Kubernetes API, v1.34
# (https://kubernetes.io/docs/reference/using-api/api-concepts/#kubernetes-protobuf-encoding), in the form that
# wire/table.rs reads. Printed by tests/apiserver/wire from the tags of the published types.
#
# body APIVERSION KIND TYPE     what a request may carry
# type NAME                     a message
#   NUMBER NAME TYPE [?]        a field; the name . puts the fields of TYPE in its place; ?: left out where it is zero
# TYPE                          string int double bool bytes quantity intorstring time microtime duration json list,
#                               NAME, [TYPE] or {TYPE}`)
	for _, root := range roots {
		for _, value := range root.values {
			of := reflect.TypeOf(value)
			fmt.Printf("body %s %s %s\n", root.apiVersion, of.Name(), name(of))
		}
	}
	for len(todo) > 0 {
		of := todo[0]
		todo = todo[1:]
		fmt.Printf("type %s\n", name(of))
		for _, one := range fields(of) {
			fmt.Printf("  %s\n", one.text)
		}
	}
}

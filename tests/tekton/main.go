// Command tekton reads Tasks and Pipelines as Tekton's admission webhook does: strictly, with its defaults and its rules.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"knative.dev/pkg/apis"
	"sigs.k8s.io/yaml"
)

// resource is what a webhook is asked about.
type resource interface {
	apis.Defaultable
	apis.Validatable
}

func main() {
	n := 0
	for _, name := range os.Args[1:] {
		text, err := os.ReadFile(name)
		fail(name, err)
		documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
		for {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			fail(name, err)
			fail(name, judge(document))
			n++
		}
	}
	fmt.Printf("%d\n", n)
}

func judge(document []byte) error {
	var kind struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return err
	}
	var read resource
	switch kind.APIVersion + " " + kind.Kind {
	case "tekton.dev/v1 Task":
		read = &v1.Task{}
	case "tekton.dev/v1 Pipeline":
		read = &v1.Pipeline{}
	default:
		return fmt.Errorf("%s %s is no Task and no Pipeline", kind.APIVersion, kind.Kind)
	}
	if err := yaml.UnmarshalStrict(document, read); err != nil {
		return err
	}
	ctx := apis.WithinCreate(context.Background())
	read.SetDefaults(ctx)
	if errs := read.Validate(ctx); errs != nil {
		return errs
	}
	return nil
}

func fail(name string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

package convert

import (
	"fmt"

	"github.com/mambac/mambac/ir"
)

// firstError is the first of errors that is one.
func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// refuse is an error if a model is what a target cannot hold.
func refuse(is bool, format string, args ...any) error {
	if !is {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// refuseBiases tells of biases that llama.cpp's Mamba has no place for.
func refuseBiases(list ...*ir.Param) error {
	for _, bias := range list {
		if bias != nil {
			return fmt.Errorf("%s: gguf has no place for a bias of a projection", bias.Name)
		}
	}
	return nil
}

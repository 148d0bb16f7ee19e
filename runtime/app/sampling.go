package app

import (
	"github.com/mambac/mambac/runtime/model"
	"github.com/mambac/mambac/runtime/sample"
)

// generate is what the flags say of a generation.
func (o *runOptions) generate() []model.GenerateOption {
	list := []model.GenerateOption{
		model.MaxTokens(o.n), model.Stop(o.stops...), model.Seed(o.seed), model.Temperature(o.temperature),
		model.TopK(o.topK), model.TopP(o.topP), model.MinP(o.minP), model.RepetitionPenalty(o.repetition),
	}
	if o.ignoreEOS {
		list = append(list, model.IgnoreEndTokens())
	}
	return list
}

// Values of --speculate.
const (
	speculateAuto = "auto"
	speculateOn   = "on"
	speculateOff  = "off"
)

// speculation is what the flags say of reading ahead; nil for none of it.
func (o *runOptions) speculation() *model.Speculation {
	if o.speculate == speculateOff || o.speculate == speculateAuto && o.temperature > 0 {
		return nil
	}
	return &model.Speculation{Always: o.speculate == speculateOn}
}

// checkSampling tells of values out of their range before anything is opened.
func (o *runOptions) checkSampling() error {
	_, err := sample.New(sample.Options{
		Temperature: o.temperature, TopK: o.topK, TopP: o.topP, MinP: o.minP, RepetitionPenalty: o.repetition,
	}, 1)
	if err != nil {
		return Usagef("%v", err)
	}
	return nil
}

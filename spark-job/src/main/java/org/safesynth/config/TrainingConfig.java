package org.safesynth.config;

import java.io.Serializable;
import java.util.List;

/** How the model is trained; most of it is for pretrained language models. */
@Section("How the model is trained; most of it is for pretrained language models")
public record TrainingConfig(
    @Parameter(
            meaning = "Records seen in training: a stand-in for epochs",
            byDefault = "auto",
            min = 0,
            note =
                "for the embedded model a number bounds the passes; auto leaves it to the loss; a private"
                    + " adapter first learns as many rows of the noisy marginals")
        Auto<Long> numInputRecordsToSample,
    @Parameter(
            meaning = "Examples in one forward pass",
            byDefault = "1",
            min = 1,
            usedByEmbedded = false,
            note =
                "see embedded.batch_size; private batches follow the records seen unless this is set")
        int batchSize,
    @Parameter(
            meaning = "Forward passes in one step",
            byDefault = "8",
            min = 1,
            usedByEmbedded = false)
        int gradientAccumulationSteps,
    @Parameter(
            meaning = "Weight decay of AdamW, not on biases and norms",
            byDefault = "0.01",
            min = 0,
            aboveMin = true,
            max = 1,
            belowMax = true,
            usedByEmbedded = false)
        double weightDecay,
    @Parameter(
            meaning = "Share of the steps over which the learning rate rises from 0",
            byDefault = "0.05",
            min = 0,
            aboveMin = true,
            usedByEmbedded = false)
        double warmupRatio,
    @Parameter(
            meaning = "Course of the learning rate",
            byDefault = "cosine",
            choices = {
              "linear",
              "cosine",
              "cosine_with_restarts",
              "polynomial",
              "constant",
              "constant_with_warmup",
              "inverse_sqrt",
              "reduce_lr_on_plateau",
              "cosine_with_min_lr",
              "cosine_warmup_with_min_lr",
              "warmup_stable_decay"
            },
            usedByEmbedded = false)
        String lrScheduler,
    @Parameter(
            meaning = "Highest learning rate",
            byDefault = "auto",
            min = 0,
            aboveMin = true,
            max = 1,
            belowMax = true,
            usedByEmbedded = false,
            note = "auto is 0.0001 for Mistral, else 0.0005; see embedded.learning_rate")
        Auto<Double> learningRate,
    @Parameter(
            meaning = "Rank of the LoRA matrices",
            byDefault = "32",
            min = 1,
            usedByEmbedded = false)
        int loraR,
    @Parameter(
            meaning =
                "LoRA's alpha over its rank; the adapter is scaled by alpha over the root of the rank",
            byDefault = "1.0",
            min = 0.5,
            max = 3,
            usedByEmbedded = false)
        double loraAlphaOverR,
    @Parameter(
            meaning = "Projections that get an adapter",
            byDefault = "[q_proj, k_proj, v_proj, o_proj]",
            choices = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"},
            usedByEmbedded = false)
        List<String> loraTargetModules,
    @Parameter(
            meaning = "Whether the fast backend trains (true) or the private one (false)",
            byDefault = "auto",
            usedByEmbedded = false,
            note = "auto is false with privacy.dp_enabled, else true")
        Auto<Boolean> useUnsloth,
    @Parameter(
            meaning = "Factor by which the context is stretched",
            byDefault = "auto",
            min = 1,
            usedByEmbedded = false,
            note = "auto follows the longest example, at most 6")
        Auto<Integer> ropeScalingFactor,
    @Parameter(
            meaning = "Share of the training data kept for the validation loss",
            byDefault = "0.0",
            min = 0,
            max = 1,
            usedByEmbedded = false,
            note = "see embedded.validation_ratio; 0 with privacy.dp_enabled")
        double validationRatio,
    @Parameter(
            meaning = "Steps between two validations",
            byDefault = "15",
            min = 1,
            usedByEmbedded = false)
        int validationSteps,
    @Parameter(
            meaning =
                "Id or folder of the base model, or embedded: a small model that needs no download",
            byDefault = TrainingConfig.EMBEDDED)
        String pretrainedModel,
    @Parameter(
            meaning = "Whether the base weights are quantized",
            byDefault = "false",
            usedByEmbedded = false)
        boolean quantizeModel,
    @Parameter(
            meaning = "Bits of a quantized weight",
            byDefault = "8",
            choices = {"4", "8"},
            usedByEmbedded = false)
        int quantizationBits,
    @Parameter(
            meaning = "How the adapter is trained",
            byDefault = "QLORA",
            choices = {"lora", "QLORA"},
            usedByEmbedded = false)
        String peftImplementation,
    @Parameter(
            meaning = "Share of a GPU's memory that may be used",
            byDefault = "0.8",
            min = 0,
            max = 1,
            usedByEmbedded = false)
        double maxVramFraction,
    @Parameter(
            meaning = "Attention kernel of the reference implementation",
            byDefault = "kernels-community/vllm-flash-attn3",
            orNull = true,
            usedByEmbedded = false,
            note = "accepted and ignored")
        String attnImplementation,
    @Parameter(
            meaning =
                "Model family whose prompt is used, or a prompt with {instruction}, {schema}, {prefill}",
            byDefault = "null",
            usedByEmbedded = false,
            note = "null goes by the model's name")
        String promptTemplate,
    @Parameter(
            meaning = "Whether training continues from the newest whole checkpoint of the run",
            byDefault = "false")
        boolean resume)
    implements Serializable {

  /** The name of the model that is trained from scratch and needs no download. */
  public static final String EMBEDDED = "embedded";

  public boolean isEmbedded() {
    return pretrainedModel.equalsIgnoreCase(EMBEDDED);
  }
}

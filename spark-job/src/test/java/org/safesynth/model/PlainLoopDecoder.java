package org.safesynth.model;

import java.util.HashMap;
import java.util.Map;

/** The embedded decoder in float64 loops, as a second opinion for tests. */
final class PlainLoopDecoder {
  private final FieldDecoderConfig config;
  private final Map<String, double[]> parameters = new HashMap<>();

  PlainLoopDecoder(FieldDecoder decoder, double[] flat) {
    this.config = decoder.config();
    for (ParameterLayout.Entry entry : decoder.layout().entries()) {
      int from = (int) entry.offset();
      parameters.put(
          entry.name(), java.util.Arrays.copyOfRange(flat, from, from + (int) entry.size()));
    }
  }

  /** Negative log-likelihood of a record in nats. */
  double loss(int[] record) {
    int d = config.hiddenSize();
    int positions = config.positions();
    double[][] x = new double[positions][d];
    for (int t = 0; t < positions; t++) {
      for (int j = 0; j < d; j++) {
        x[t][j] = parameters.get("position.weight")[t * d + j];
        if (t > 0) {
          int row = config.embeddingOffsets()[t - 1] + record[t - 1];
          x[t][j] += parameters.get("embedding.weight")[row * d + j];
        }
      }
    }
    for (int i = 0; i < config.numLayers(); i++) {
      String layer = "layers." + i + ".";
      double[][] qkv = new double[positions][];
      for (int t = 0; t < positions; t++) {
        qkv[t] = times(layer + "attention.qkv.weight", 3 * d, norm(x[t]));
      }
      for (int t = 0; t < positions; t++) {
        add(x[t], times(layer + "attention.output.weight", d, attend(qkv, t)));
      }
      for (int t = 0; t < positions; t++) {
        double[] up = times(layer + "mlp.up.weight", 4 * d, norm(x[t]));
        for (int j = 0; j < up.length; j++) {
          up[j] = 0.5 * up[j] * (1 + erf(up[j] / Math.sqrt(2)));
        }
        add(x[t], times(layer + "mlp.down.weight", d, up));
      }
    }
    double loss = 0;
    for (int t = 0; t < positions; t++) {
      double[] h = norm(x[t]);
      int size = config.vocabularySizes().get(t);
      double[] logits = new double[size];
      double most = Double.NEGATIVE_INFINITY;
      for (int v = 0; v < size; v++) {
        int row = config.headOffsets()[t] + v;
        logits[v] = parameters.get("head.bias")[row];
        for (int j = 0; j < d; j++) {
          logits[v] += parameters.get("head.weight")[row * d + j] * h[j];
        }
        most = Math.max(most, logits[v]);
      }
      double sum = 0;
      for (double logit : logits) {
        sum += Math.exp(logit - most);
      }
      loss += most + Math.log(sum) - logits[record[t]];
    }
    return loss;
  }

  private double[] attend(double[][] qkv, int t) {
    int d = config.hiddenSize();
    int width = config.headDim();
    double[] out = new double[d];
    for (int head = 0; head < config.numHeads(); head++) {
      double[] weights = new double[t + 1];
      double sum = 0;
      for (int s = 0; s <= t; s++) {
        double dot = 0;
        for (int j = head * width; j < (head + 1) * width; j++) {
          dot += qkv[t][j] * qkv[s][d + j];
        }
        weights[s] = Math.exp(dot / Math.sqrt(width));
        sum += weights[s];
      }
      for (int s = 0; s <= t; s++) {
        for (int j = head * width; j < (head + 1) * width; j++) {
          out[j] += weights[s] / sum * qkv[s][2 * d + j];
        }
      }
    }
    return out;
  }

  private double[] times(String name, int rows, double[] x) {
    double[] matrix = parameters.get(name);
    double[] y = new double[rows];
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < x.length; j++) {
        y[r] += matrix[r * x.length + j] * x[j];
      }
    }
    return y;
  }

  private static void add(double[] x, double[] y) {
    for (int j = 0; j < x.length; j++) {
      x[j] += y[j];
    }
  }

  private static double[] norm(double[] x) {
    double mean = java.util.Arrays.stream(x).average().orElseThrow();
    double variance =
        java.util.Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
    return java.util.Arrays.stream(x).map(v -> (v - mean) / Math.sqrt(variance + 1e-5)).toArray();
  }

  /** The error function by its Maclaurin series, which converges everywhere. */
  private static double erf(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 500; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }
}

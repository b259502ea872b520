package org.safesynth.job;

import java.io.Serializable;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.resource.ExecutorResourceRequests;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.safesynth.config.ClusterConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.model.ComputeDevice;
import scala.Tuple2;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag$;

/**
 * Chooses the executor that trains. A task gets one core of any executor by default; here it gets
 * the whole of one, and one with a GPU where that is wanted, by the first way that the cluster has:
 *
 * <ol>
 *   <li>dynamic allocation: a resource profile for which the cluster starts an executor;
 *   <li>executors that all have a GPU, or the same cores: a profile of the task alone;
 *   <li>tasks that look at the executors, and a preferred location: not a promise, so the training
 *       looks at its device again.
 * </ol>
 */
final class Placement {
  private static final String CORES = "spark.executor.cores";
  private static final String DYNAMIC = "spark.dynamicAllocation.enabled";
  private static final String GPUS = "spark.executor.resource.gpu.";
  private static final String GPU = "gpu";
  private static final int PROBES_PER_CORE = 2;
  private static final long PROBE_MILLIS = 200; // a task that ends at once leaves no work to others

  private final SparkContext spark;
  private final SparkConf conf;
  private final ClusterConfig.Placement wanted;
  private String refusal = ""; // why Spark takes no resource profile here

  Placement(SparkContext spark, ClusterConfig.Placement wanted) {
    this.spark = spark;
    this.conf = spark.getConf();
    this.wanted = wanted;
  }

  /**
   * A task of one partition at its place.
   *
   * @param mayWait whether it stands still, without a word from Spark, where the cluster never has
   *     what it asks for
   * @param reason of the choice, in words
   */
  record Place(JavaRDD<Integer> task, boolean mayWait, String reason) {}

  /** What a probe saw of an executor. */
  private record Seen(String executor, String host, boolean hasGpu) implements Serializable {}

  /** Whether the cluster's settings say anything of GPUs. */
  boolean knowsGpus() {
    return conf.getAllWithPrefix(GPUS).length > 0;
  }

  /**
   * Chooses.
   *
   * @param wish {@code cpu}, {@code cuda}, or {@code auto}, which goes to a GPU that the cluster
   *     knows of and does not wait for one otherwise
   * @throws BadInputException where what is asked for by name cannot be had
   */
  Place choose(ComputeDevice.Wish wish) {
    boolean demanded = wish.device().equals("cuda");
    boolean gpu = demanded || (wish.device().equals("auto") && knowsGpus());
    return switch (wanted) {
      case PROFILE ->
          profile(gpu)
              .orElseThrow(
                  () ->
                      new BadInputException(
                          "cluster.placement is profile, but this cluster does not schedule by resource profiles as it is set up (%s); set spark.dynamicAllocation.enabled, or write auto or pinned"
                              .formatted(refusal)));
      case PINNED -> pinned(wish, gpu);
      default -> {
        if (!gpu) {
          yield ofCpu();
        }
        Optional<Place> profile = knowsGpus() ? profile(true) : Optional.empty();
        yield profile.orElseGet(() -> pinned(wish, true));
      }
    };
  }

  /** On the CPU of an executor, all of it where the cluster can promise that. */
  Place ofCpu() {
    int cores = conf.getInt(CORES, 0);
    if (cores < 2) {
      String why = cores == 1 ? "an executor of 1 core" : "an executor; " + CORES + " is not set";
      return new Place(one(), false, why);
    }
    if (conf.getBoolean(DYNAMIC, false)) {
      String why = "an executor of %d cores; with dynamic allocation none is kept".formatted(cores);
      return new Place(one(), false, why);
    }
    return taskProfile(one(), false)
        .map(
            task ->
                new Place(
                    task,
                    false,
                    "a whole executor of %d cores, by a resource profile".formatted(cores)))
        .orElseGet(
            () ->
                new Place(
                    one(),
                    false,
                    "an executor of %d cores; this cluster does not schedule by stage"
                        .formatted(cores)));
  }

  private JavaRDD<Integer> one() {
    return JavaSparkContext.fromSparkContext(spark).parallelize(List.of(0), 1);
  }

  private int cores() {
    return Math.max(1, conf.getInt(CORES, 1));
  }

  private Optional<Place> profile(boolean gpu) {
    String what = gpu ? "an executor with a GPU" : "a whole executor";
    String all = "%s (%d cores), by a resource profile".formatted(what, cores());
    if (conf.getBoolean(DYNAMIC, false)) {
      return executorProfile(gpu)
          .map(task -> new Place(task, true, all + " for which the cluster starts one"));
    }
    return taskProfile(one(), gpu).map(task -> new Place(task, true, all + " of the task"));
  }

  /** Executors with a GPU that the cluster starts for those who ask; empty where it cannot. */
  Optional<ResourceProfile> gpuExecutors() {
    if (!knowsGpus() || !conf.getBoolean(DYNAMIC, false)) {
      return Optional.empty();
    }
    // Tasks share it: one alone leaves a GPU idle while it reads what was drawn.
    ResourceProfile shared = executors(true, 1, cores());
    return with(one(), shared).map(ignored -> shared);
  }

  private Optional<JavaRDD<Integer>> executorProfile(boolean gpu) {
    return with(one(), executors(gpu, cores(), 1));
  }

  /**
   * @param taskCores of the executor's
   * @param tasks that share a GPU
   */
  private ResourceProfile executors(boolean gpu, int taskCores, int tasks) {
    ExecutorResourceRequests executor = new ExecutorResourceRequests().cores(cores());
    conf.getOption("spark.executor.memory").foreach(executor::memory);
    conf.getOption("spark.executor.memoryOverhead").foreach(executor::memoryOverhead);
    TaskResourceRequests task = new TaskResourceRequests().cpus(taskCores);
    if (gpu) {
      executor.resource(
          GPU, 1, conf.get(GPUS + "discoveryScript", ""), conf.get(GPUS + "vendor", ""));
      task.resource(GPU, 1.0 / tasks);
    }
    return new ResourceProfileBuilder().require(executor).require(task).build();
  }

  private Optional<JavaRDD<Integer>> taskProfile(JavaRDD<Integer> rdd, boolean gpu) {
    TaskResourceRequests task = new TaskResourceRequests().cpus(cores());
    if (gpu) {
      task.resource(GPU, 1);
    }
    return with(rdd, new ResourceProfileBuilder().require(task).build());
  }

  /** Empty where Spark refuses profiles on this cluster. */
  private Optional<JavaRDD<Integer>> with(JavaRDD<Integer> rdd, ResourceProfile profile) {
    try {
      return Optional.of(rdd.withResources(profile));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) { // javac does not see the checked exception that Scala throws
      if (!(e instanceof SparkException)) {
        throw new IllegalStateException(e);
      }
      refusal = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      return Optional.empty();
    }
  }

  private Place pinned(ComputeDevice.Wish wish, boolean gpu) {
    List<Seen> seen = probe(wish);
    Seen best =
        seen.stream()
            .max(
                Comparator.comparing(Seen::hasGpu)
                    .thenComparing(Seen::executor, Comparator.reverseOrder()))
            .orElseThrow();
    if (wish.device().equals("cuda") && !best.hasGpu()) {
      throw new BadInputException(
          "a GPU is asked for (cluster.device: cuda), but none of the %d executors that answered sees one with this job jar; give executors GPUs (spark.executor.resource.gpu.*), use the jar of mvn -Pgpu, or write auto"
              .formatted(seen.size()));
    }
    String location = "executor_%s_%s".formatted(best.host(), best.executor());
    Seq<String> preferred = CollectionConverters.asScala(List.of(location)).toSeq();
    RDD<Integer> rdd =
        spark.makeRDD(
            CollectionConverters.asScala(List.of(new Tuple2<>(0, preferred))).toSeq(),
            ClassTag$.MODULE$.apply(Integer.class));
    return new Place(
        rdd.toJavaRDD(),
        false,
        "executor %s on %s, %s of the %d that were looked at"
            .formatted(
                best.executor(),
                best.host(),
                gpu && best.hasGpu() ? "with a GPU, the first" : "the first",
                seen.size()));
  }

  private List<Seen> probe(ComputeDevice.Wish wish) {
    ComputeDevice.Wish auto =
        new ComputeDevice.Wish(
            wish.device().equals("cpu") ? "cpu" : "auto", wish.gpuMemoryFraction());
    int probes = PROBES_PER_CORE * Math.max(1, spark.defaultParallelism());
    spark.setJobDescription("look for the executor that trains");
    try {
      return List.copyOf(
          new HashSet<>(
              JavaSparkContext.fromSparkContext(spark)
                  .parallelize(IntStream.range(0, probes).boxed().toList(), probes)
                  .map(ignored -> seenHere(auto))
                  .collect()));
    } finally {
      spark.setJobDescription(null);
    }
  }

  private static Seen seenHere(ComputeDevice.Wish wish) throws InterruptedException {
    Thread.sleep(PROBE_MILLIS);
    SparkEnv env = SparkEnv.get();
    boolean hasGpu = !wish.device().equals("cpu") && ComputeDevice.choose(wish).isGpu();
    return new Seen(env.executorId(), env.blockManager().blockManagerId().host(), hasGpu);
  }
}

// How long llama.cpp's own multimodal library takes to encode an image. Built and run by measure-encoder.ts, see there.
//
//   mtmd-time LIBRARIES MODEL PROJECTOR THREADS FLASH ROWS < images
//
// LIBRARIES: the folder of ggml's backends. FLASH: 1 with flash attention, 0 without, -1 as the library chooses. ROWS: a
// file for the rows of the last image, as 32-bit floats. Each line of the input is an image: width, height and a file of
// its bytes (red, green, blue). Each line of the output is the
// milliseconds that its encoding took, and those that the processor's cores spent on it together.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "ggml-backend.h"
#include "llama.h"
#include "mtmd-helper.h"
#include "mtmd.h"

static void fail(const std::string & what) {
    std::cerr << what << std::endl;
    std::exit(1);
}

static void silent(ggml_log_level level, const char * text, void *) {
    if (level == GGML_LOG_LEVEL_ERROR) std::cerr << text;
}

int main(int argc, char ** argv) {
    if (argc != 7) fail("mtmd-time LIBRARIES MODEL PROJECTOR THREADS FLASH ROWS < images");
    llama_log_set(silent, nullptr);
    mtmd_log_set(silent, nullptr);
    mtmd_helper_log_set(silent, nullptr);
    ggml_backend_load_all_from_path(argv[1]);
    llama_model * model = llama_model_load_from_file(argv[2], llama_model_default_params());
    if (!model) fail("no model");

    mtmd_context_params params = mtmd_context_params_default();
    params.print_timings = false;
    params.warmup = false;
    params.n_threads = std::atoi(argv[4]);
    params.flash_attn_type = static_cast<llama_flash_attn_type>(std::atoi(argv[5]));
    mtmd_context * ctx = mtmd_init_from_file(argv[3], model, params);
    if (!ctx) fail("no projector");

    const size_t width = llama_model_n_embd_inp(model);
    int nx, ny;
    std::string path;
    while (std::cin >> nx >> ny >> path) {
        std::ifstream in(path, std::ios::binary);
        const std::vector<unsigned char> bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
        if (bytes.size() != (size_t) nx * ny * 3) fail(path + " has another size");
        mtmd_bitmap * bitmap = mtmd_bitmap_init(nx, ny, bytes.data());
        mtmd_input_chunks * chunks = mtmd_input_chunks_init();
        const std::string prompt = mtmd_default_marker();
        const mtmd_input_text text = { prompt.c_str(), prompt.size(), false, true };
        const mtmd_bitmap * bitmaps[] = { bitmap };
        if (mtmd_tokenize(ctx, chunks, &text, bitmaps, 1) != 0) fail(path + " was not tokenized");
        double ms = 0, cores = 0;
        for (size_t i = 0; i < mtmd_input_chunks_size(chunks); i++) {
            const mtmd_input_chunk * chunk = mtmd_input_chunks_get(chunks, i);
            if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_TEXT) continue;
            const std::clock_t began = std::clock();
            const auto start = std::chrono::steady_clock::now();
            if (mtmd_encode_chunk(ctx, chunk) != 0) fail("an image was not encoded");
            ms += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
            cores += 1000.0 * (std::clock() - began) / CLOCKS_PER_SEC;
            std::ofstream(argv[6], std::ios::binary)
                .write(reinterpret_cast<const char *>(mtmd_get_output_embd(ctx)),
                       mtmd_input_chunk_get_n_tokens(chunk) * width * sizeof(float));
        }
        std::printf("%.3f %.3f\n", ms, cores);
        std::fflush(stdout);
        mtmd_input_chunks_free(chunks);
        mtmd_bitmap_free(bitmap);
    }
    mtmd_free(ctx);
    llama_model_free(model);
}
